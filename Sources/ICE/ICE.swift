// The room of ICE.
