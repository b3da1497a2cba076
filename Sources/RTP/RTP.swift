// The room of RTP.
