"""A population: many networks of one shape class as one JAX program."""
