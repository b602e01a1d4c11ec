# SPDX-License-Identifier: MIT
"""Authorities and certificates of the tests' own, and ports for servers that show them."""
import socket
import subprocess

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_authority(folder, name):
    openssl("req", "-x509", *KEY, "-days", 2, "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out",
            folder / f"{name}.pem")


def make_certificate(folder, name, authority, days=2, address="127.0.0.1"):
    """For a host of that name and address; of fewer days than none, it has expired."""
    openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
    (folder / "extensions").write_text(f"subjectAltName=DNS:{name},IP:{address}\n")
    openssl("x509", "-req", "-days", days, "-in", folder / f"{name}.csr", "-CA", folder / f"{authority}.pem", "-CAkey",
            folder / f"{authority}.key", "-CAcreateserial", "-extfile", folder / "extensions", "-out",
            folder / f"{name}.pem")
