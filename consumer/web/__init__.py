"""The HTTP side: health and metrics now, the console later."""
