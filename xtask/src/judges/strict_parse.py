"""Opens an image strictly; with a second argument, also reads every file of its Rock Ridge tree.

Run by the judge pycdlib.
"""

import io
import sys

import pycdlib

iso = pycdlib.PyCdlib()
iso.open(sys.argv[1])
count = 0
if len(sys.argv) > 2:
    for folder, _, files in iso.walk(rr_path="/"):
        for name in files:
            path = folder.rstrip("/") + "/" + name
            record = iso.get_record(rr_path=path)
            if record.is_file() and not record.rock_ridge.is_symlink():
                iso.get_file_from_iso_fp(io.BytesIO(), rr_path=path)
            count += 1
iso.close()
print(count)
