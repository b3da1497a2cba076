// The room of Video.
