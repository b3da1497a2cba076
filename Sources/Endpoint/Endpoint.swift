// The room of Endpoint.
