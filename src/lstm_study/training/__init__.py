"""One training: one configuration, one seed, a budget of epochs; stopped and gone on with."""
