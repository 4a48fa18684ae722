"""The page: runs to read, and clips to compare, in the browser of whoever sits at this machine.

    server.serve(root, ...)     on 127.0.0.1 alone, behind a token (`guard`)
    app.make_app(root)          the routes; `paths` says which files of a run may be reached
    runs.py, ranking.py         what the pages show; `ballot_box` keeps what raters say, `steps` what one click does

Server-rendered HTML (`templates/`); one script of our own for videos, keys and a lost connection (`static/page.js`).
"""
