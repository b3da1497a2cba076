// The room of Peer.
