// The room of SDP.
