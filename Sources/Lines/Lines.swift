// The room of Lines.
