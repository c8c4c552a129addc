"""`python -m lstm_study.cli`, the console script without the script."""

from lstm_study.cli import main

main()
