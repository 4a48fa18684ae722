"""One file that tells a run or a sweep: self-contained HTML, made of what is on the disk."""
