"""Kernels: started, kept ready, watched, and ended with everything they started."""
