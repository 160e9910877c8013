"""Serve editors with diagnostics, explanations and fixes, over the Language Server Protocol."""
