"""One file that tells a run or a sweep: self-contained HTML, made of what is on the disk; see docs/report.md.

    report_run(folder, ...)     `of_run.py`: what a run did so far
    report_sweep(folder)        `of_sweep.py`: a sweep's table and curves, with links to the reports of its runs

`page.py` puts a page together: nothing in it runs, and nothing in it asks for anything from elsewhere.
"""

MEGABYTES = 50
"""Of clips in a report, unless told otherwise."""
