// The room of ControlPlane.
