"""The fast LSTM's loop on the CPU, compiled by Numba."""
