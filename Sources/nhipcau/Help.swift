/// What `nhipcau help` prints.
enum Help {
    static let all: String? = """
        nhipcau: hội nghị truyền hình trên máy chủ của chính mình / video conferences on one's own servers

          nhipcau serve      the server: pages, API and media
          nhipcau endpoint   a site without a screen: joins, sends, measures
          nhipcau demo       a server with a running meeting of twelve simulated provinces
          nhipcau store      copies what lasts from SQLite to PostgreSQL or back, and prints it
          nhipcau user       accounts, for whoever has the machine: a lost password, an account to shut
          nhipcau version
          nhipcau help SUBCOMMAND

        """

    static func of(_ subcommand: String) -> String? {
        switch subcommand {
        case "serve": serve
        case "demo": demo
        case "endpoint": endpoint
        case "user": user
        case "store": store
        case "version": "nhipcau version\n\n  Prints the version.\n"
        case "help": "nhipcau help [SUBCOMMAND]\n\n  Lists the subcommands, or explains one.\n"
        default: nil
        }
    }

    private static let serve = """
        nhipcau serve [--config FILE] [flags that override the file]

          --config FILE            JSON with comments; Config/nhipcau.json is the commented sample
          --listen HOST:PORT       HTTP and WebSocket (127.0.0.1:8080)
          --media-port PORT        the one UDP port for media (5004; 0 takes a free one), and TCP of the same
                                   number where UDP is blocked
          --media-address IP[:PORT]  announced to clients; repeatable; PORT where a router maps it (all interfaces)
          --data DIR               database and certificates (./data)
          --store STORE            sqlite:PATH or postgresql://USER@HOST/DATABASE?sslmode=verify-full (nhipcau.sqlite in --data).
                                   A password belongs in PGPASSFILE (~/.pgpass) or the file, not in a word that others may see
          --tls-certificate FILE --tls-key FILE   HTTPS with these PEM files
          --tls self-signed        HTTPS with a certificate made for the first trial
          --trusted-proxy NETWORK  a reverse proxy (address or CIDR) whose X-Forwarded-For or Forwarded counts; repeatable (none)
          --metrics HOST:PORT      /metrics there, and no longer beside the pages
          --plain-http warn|meant  meant: no warning of plain HTTP on an address of the network (warn)
          --public-url URL         where people reach the server, when behind a proxy
          --log-level LEVEL        debug, info, warning, error

          NHIPCAU_ADMIN_PASSWORD sets the password of "admin" on an empty store; without it a random one is printed once.
          SIGTERM ends in order, SIGHUP reads configuration and certificates again.

        """

    private static let demo = """
        nhipcau demo [--listen HOST:PORT] [--data DIR] [--sites N]

          A server with demonstration data and a running meeting of simulated provinces (12). Prints the address and the account; Ctrl-C ends it.

        """

    private static let user = """
        nhipcau user list | password NAME | disable NAME | enable NAME | role NAME ROLE   [--data DIR | --store STORE]

          Acts on the store, whether the server runs or not; the account's sessions end.
          The new password comes from NHIPCAU_PASSWORD; without it a random one is made and printed once.
          ROLE is admin, secretary, operator, network or auditor.

        """

    private static let store = """
        nhipcau store copy FROM TO | export STORE

          FROM, TO and STORE are sqlite:PATH or postgresql://…; stop the server first.
          copy takes an installation over into an empty store, whole or not at all, and compares counts and SHA-256 of both.
          export prints every row as a line of JSON, in an order that is the same on both engines. It has hashes of passwords: keep it safe.

        """

    private static let endpoint = """
        nhipcau endpoint --server URL --token T --meeting ID --name NAME [options]

          --token T | --token-file FILE | --username U --password P
          NHIPCAU_TOKEN and NHIPCAU_PASSWORD in the environment keep both out of the command line, which is overwritten all the same.
          --audio tone:HZ|FILE.ogg|silence|hum|marks|none    --video colour:RRGGBB|pattern|FILE.ivf|none    --label TEXT
          --kind participant|publisher|viewer    --site CODE    --count N    --duration S
          --decode all|audio|none    --size tile|whole    --media both|audio    --limit BITS    --listen-tones HZ,HZ    --speak-schedule ON/OFF/OFFSET
          --report FILE
          docs/endpoint.md explains the report.

        """
}
