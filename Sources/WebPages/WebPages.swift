// The room of WebPages.
