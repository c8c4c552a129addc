"""Worker processes: started, spoken to, watched, ended."""
