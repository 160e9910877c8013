"""Watch buckets with `SecureTransportMonitoring`: one module for each AWS service."""
