"""`SecureTransportMonitoring`, one module for each thing that it watches with."""
