// The room of Audio.
