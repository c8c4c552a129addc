"""How long trainings and studies take: work, a machine's pace, and the time left of a study."""
