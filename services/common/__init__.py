"""What all services share: settings base, errors, logs, metrics, wire format, server."""
