#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says what is linked into the portable programs: an SPDX document, and the licences of Debian's packages.

The linker's maps name the archives, the build's dependencies the headers; dpkg knows which package each file is of.
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

# By source package; what is not here stops the release until somebody has looked.
LICENCES = {
    "boost1.74": "BSL-1.0",
    "boost-defaults": "BSL-1.0",
    "bzip2": "bzip2-1.0.6",
    "c-ares": "MIT",
    "curl": "curl",
    "elfutils": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "libbpf": "LGPL-2.1-only OR BSD-2-Clause",
    "libseccomp": "LGPL-2.1-only",
    "linux": "GPL-2.0-only WITH Linux-syscall-note",
    "nlohmann-json3": "MIT",
    "ncurses": "X11-distribute-modifications-variant",
    "openssl": "Apache-2.0",
    "rapidjson": "MIT",
    "libzstd": "BSD-3-Clause OR GPL-2.0-only",
    "xz-utils": "0BSD",
    "zlib": "Zlib",
}


def packages_of(files, database):
    """The names of the packages that have one of the files."""
    answer = subprocess.run(["dpkg", f"--admindir={database}", "-S", *files], capture_output=True, text=True, check=False)
    found = {}
    for line in answer.stdout.splitlines():
        names, _, path = line.partition(": ")
        if not line.startswith("diversion"):
            found[path] = names.split(", ")[0]
    lost = sorted(set(files) - set(found))
    if lost:
        sys.exit("contents.py: of no package: " + ", ".join(lost[:5]))
    return sorted(set(found.values()))


def linked_files(maps, deps, curl, root):
    """The files of the root that the linker's map (GNU's, or lld's) and the compiler name, as the root has them."""
    files = set()
    for path in maps:
        files |= set(re.findall(r"^LOAD (/\S+)", path.read_text(), re.M))
        files |= set(re.findall(r"^[ 0-9a-f]+ (/\S+?\.[ao])(?:\(\S+\))?:\(", path.read_text(), re.M))
    files |= set(re.findall(rf"^\s+({re.escape(root)}/usr/(?:include|lib)/\S+)", deps.read_text(), re.M))
    real = {os.path.realpath(f) for f in files if not f.startswith(str(curl))}
    return sorted(f.removeprefix(root) for f in real)


def package(name, version, licence, source=None):
    entry = {
        "SPDXID": "SPDXRef-" + re.sub("[^A-Za-z0-9.-]", "-", name),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
    }
    if source:
        entry["supplier"] = "Organization: Debian"
        entry["sourceInfo"] = f"Debian source package {source} {version}"
        entry["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                  "referenceLocator": f"pkg:deb/debian/{name}@{version}"}]
    return entry


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--deps", type=pathlib.Path, required=True, help="the output of ninja -t deps")
    parser.add_argument("--root", default="", help="where the libraries are from: the build root of a cross build")
    parser.add_argument("--curl", type=pathlib.Path, required=True, help="the folder that curl.sh made")
    parser.add_argument("--programs", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--epoch", type=int, required=True)
    parser.add_argument("--licences", type=pathlib.Path, required=True, help="folder for the licences")
    parser.add_argument("--spdx", type=pathlib.Path, required=True)
    options = parser.parse_args()

    found = {}  # source package: version, copyright
    root = os.path.realpath(options.root) if options.root else ""
    database = f"{root}/var/lib/dpkg"
    names = packages_of(linked_files(options.maps, options.deps, options.curl, root), database)
    listed = subprocess.run(["dpkg-query", f"--admindir={database}", "-W", "-f", "${source:Package} ${source:Version} ${Package}\n", *names],
                            capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        source, version, name = line.split()
        found.setdefault(source, (version, pathlib.Path(f"{root}/usr/share/doc") / name / "copyright"))
    found["curl"] = ((options.curl / "version").read_text().strip(), options.curl / "copyright")
    unknown = sorted(set(found) - set(LICENCES))
    if unknown:
        sys.exit("contents.py: no licence is known of " + ", ".join(unknown) +
                 ": look at it, and add it to LICENCES in this file and to docs/install.md")

    options.licences.mkdir(parents=True, exist_ok=True)
    for source, (_, copyright_file) in sorted(found.items()):
        shutil.copyfile(copyright_file, options.licences / f"{source}.txt")

    ours = package("ebpf_telemetry", options.version, "MIT AND LGPL-2.1-only AND GPL-2.0-only")
    libraries = [package(source, version, LICENCES[source], source) for source, (version, _) in sorted(found.items())]
    files = [{
        "SPDXID": "SPDXRef-File-" + re.sub("[^A-Za-z0-9.-]", "-", path.name),
        "fileName": "./" + "/".join(path.parts[-2:]),
        "fileTypes": ["BINARY"],
        "checksums": [{"algorithm": kind.upper(), "checksumValue": hashlib.new(kind, path.read_bytes()).hexdigest()}
                      for kind in ("sha1", "sha256")],
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    } for path in options.programs]
    identity = hashlib.sha256(json.dumps([libraries, files], sort_keys=True).encode()).hexdigest()
    created = datetime.datetime.fromtimestamp(options.epoch, datetime.timezone.utc)
    relate = lambda a, kind, b: {"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b}
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"ebpf_telemetry-{options.version}",
        "documentNamespace": f"urn:sha256:{identity}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": ["Tool: packaging/portable/contents.py"]},
        "packages": [ours, *libraries],
        "files": files,
        "relationships": [relate("SPDXRef-DOCUMENT", "DESCRIBES", ours["SPDXID"]),
                          *[relate(ours["SPDXID"], "CONTAINS", f["SPDXID"]) for f in files],
                          *[relate(ours["SPDXID"], "STATIC_LINK", p["SPDXID"]) for p in libraries]],
    }
    options.spdx.write_text(json.dumps(document, indent=1) + "\n")


main()
