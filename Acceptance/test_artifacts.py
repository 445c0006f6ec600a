"""Artifacts by unmodified parts: curl for resumable uploads, openssl and cpio for signed updates."""

import base64
import hashlib
import os
import shutil
import signal
import subprocess

import pytest

from clients import curl
from tidegate import BINARY, Server, run, wait_for

PART = "Content-Type: application/offset+octet-stream"


@pytest.fixture(scope="module", autouse=True)
def tenant(server):
    server.tenant("acme")
    server.owner = server.token("acme", "owner")


def request(server, path, *arguments):
    url = path if path.startswith("https:") else server.people_url + path
    return curl(server, url, "--header", f"Authorization: Bearer {server.owner}", *arguments)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def begin(server, name, content):
    metadata = f"filename {encoded(name)},sha256 {encoded(hashlib.sha256(content).hexdigest())}"
    answer = request(
        server, "/api/v1/tenants/acme/artifacts", "--request", "POST", "--header", "Tus-Resumable: 1.0.0",
        "--header", f"Upload-Length: {len(content)}", "--header", f"Upload-Metadata: {metadata}",
    )
    assert answer.status == 201, answer
    return answer.headers["location"][0]


def offset(server, path):
    answer = request(server, path, "--head", "--header", "Tus-Resumable: 1.0.0")
    assert answer.status == 200, answer
    return int(answer.headers["upload-offset"][0])


def test_an_upload_by_curl_goes_on_after_a_cut(server, tmp_path):
    content = os.urandom(8 << 20)
    path = begin(server, "firmware.bin", content)
    whole = tmp_path / "firmware.bin"
    whole.write_bytes(content)
    sending = subprocess.Popen(
        ["curl", "--silent", "--cacert", server.ca, "--header", f"Authorization: Bearer {server.owner}", "--request", "PATCH",
         "--header", PART, "--header", "Upload-Offset: 0", "--header", "Expect:", "--limit-rate", "2M", "--upload-file", whole,
         server.people_url + path], stdout=subprocess.DEVNULL)
    wait_for(lambda: offset(server, path) > 0, "bytes have come")
    sending.kill()
    sending.wait()
    wait_for(lambda: len({offset(server, path) for _ in range(5)}) == 1, "the server has noticed the cut")
    stands = offset(server, path)
    assert 0 < stands < len(content)
    rest = tmp_path / "rest"
    rest.write_bytes(content[stands:])
    part = ("--request", "PATCH", "--header", PART, "--upload-file", rest)
    wrong = request(server, path, *part, "--header", f"Upload-Offset: {stands - 1}")
    assert wrong.status == 409, wrong
    # 409 also as long as the one that was cut holds the file.
    done = wait_for(
        lambda: (answer := request(server, path, *part, "--header", f"Upload-Offset: {stands}")).status != 409 and answer,
        "the server takes the rest")
    assert done.status == 204, done
    assert int(done.headers["upload-offset"][0]) == len(content)
    assert request(server, path + "/content").body == content


def make_update(folder, signer=None, damaged=False):
    """An update as SWUpdate's documentation has it made."""
    folder.mkdir()
    image = os.urandom(200_000)
    (folder / "rootfs.img").write_bytes(image)
    (folder / "sw-description").write_text(
        'software = { version = "2.4.0"; images: ( { filename = "rootfs.img"; type = "raw"; device = "/dev/null"; '
        f'sha256 = "{hashlib.sha256(image).hexdigest()}"; }} ); }};\n')
    files = ["sw-description"]
    if signer:
        run("openssl", "cms", "-sign", "-in", "sw-description", "-out", "sw-description.sig", "-signer", f"{signer}.pem",
            "-inkey", f"{signer}.key", "-outform", "DER", "-nosmimecap", "-binary", cwd=folder)
        files.append("sw-description.sig")
    if damaged:
        (folder / "rootfs.img").write_bytes(image[:-1] + bytes([image[-1] ^ 1]))
    update = folder / "gateway.swu"
    names = "\n".join(files + ["rootfs.img"]).encode()
    update.write_bytes(run("cpio", "-o", "-H", "crc", "--quiet", input=names, cwd=folder).stdout)
    return update


def make_key(folder, name):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / f"{name}.key", "-out",
        folder / f"{name}.pem", "-days", "30", "-subj", f"/CN={name}")
    return folder / name


def test_a_signed_update_becomes_a_release_and_a_forged_one_does_not(server, tmp_path):
    (vendor, stranger) = (make_key(tmp_path, "vendor"), make_key(tmp_path, "stranger"))
    server.admin("update-key", "put", "vendor", f"{vendor}.pem", "--reason", "first", "--tenant", "acme")
    good = server.admin("artifact", "upload", make_update(tmp_path / "good", vendor), "--tenant", "acme")
    assert (good["type"], good["signature"], good["key"]) == ("swu", "verified", "vendor")
    for name, code in [("unsigned", "signature"), ("forged", "signature"), ("damaged", "contents")]:
        signer = {"unsigned": None, "forged": stranger, "damaged": vendor}[name]
        update = make_update(tmp_path / name, signer, damaged=name == "damaged")
        refused = server.admin("artifact", "upload", update, "--tenant", "acme", check=False)
        assert refused.returncode == 1
        assert f'"artifact.{code}"'.encode() in refused.stderr, refused.stderr
    release = server.admin(
        "release", "create", "system", "2.4.0", "--artifact", good["id"], "--publish", "--tenant", "acme")
    assert (release["state"], release["counter"]) == ("published", 1)
    assert server.admin("release", "list", "--tenant", "acme")["items"][0]["id"] == release["id"]
    assert server.admin("release", "withdraw", release["id"], "--tenant", "acme")["state"] == "withdrawn"
    server.admin("release", "delete", release["id"], "--tenant", "acme")
    server.admin("artifact", "delete", good["id"], "--tenant", "acme")
    codes = {entry["code"] for entry in server.get("/tenants/acme/audit?limit=1000", server.owner).json()["items"]}
    assert {"artifact.uploaded", "artifact.refused", "updateKey.put", "release.published"} <= codes


def test_the_command_goes_on_after_the_server_was_killed(tmp_path):
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server")
    try:
        server.tenant("acme")
        big = tmp_path / "big.bin"
        big.write_bytes(os.urandom(1 << 20) * 48)
        command = [BINARY, "admin", "--data", server.data, "--json", "artifact", "upload", big, "--tenant", "acme"]
        sending = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        listed = lambda: server.admin("artifact", "list", "--tenant", "acme")["items"]
        wait_for(lambda: any(item["received"] > 4 << 20 for item in listed()), "bytes have come")
        server.stop(signal.SIGKILL)
        server.start()
        output, errors = sending.communicate(timeout=120)
        assert sending.returncode == 0, errors
        digest = hashlib.sha256(big.read_bytes()).hexdigest()
        assert f'"sha256":"{digest}"'.encode() in output
        assert [item["state"] for item in listed()] == ["whole"]
    finally:
        server.stop()
        shutil.rmtree(tmp_path / "server", ignore_errors=True)
