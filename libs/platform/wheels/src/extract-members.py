"""Copies members of a wheel into a folder: extract-members.py WHEEL FOLDER PATTERN...

A wheel is a zip archive. A pattern is a shell pattern whose `*` also matches slashes; each must match something, else the
wheel is not the one that the caller was written for. The mode bits that zipfile forgets are set again.
"""
import fnmatch
import os
import sys
import zipfile

wheel, folder, *patterns = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for pattern in patterns:
        members = [member for member in archive.infolist() if fnmatch.fnmatchcase(member.filename, pattern)]
        if not members:
            sys.exit(f"nothing in {os.path.basename(wheel)} matches {pattern}")
        for member in members:
            path = archive.extract(member, folder)
            executable = (member.external_attr >> 16) & 0o111
            os.chmod(path, 0o755 if executable or member.is_dir() else 0o644)
