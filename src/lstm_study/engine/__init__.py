"""Worker processes: started, watched, ended."""
