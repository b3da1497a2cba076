// The room of WebServer.
