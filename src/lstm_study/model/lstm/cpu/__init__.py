"""The fast LSTM's loop on the processor, compiled by Numba."""
