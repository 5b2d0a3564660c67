"""SSH keys that an admin put down for people: sshd takes them without asking anybody at Okta."""

import os

KEYS = ["AuthorizedKeysFile=/etc/ssh/keys/%u"]


def give_key(m, *names):
    m.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key", check=True)
    os.makedirs("/etc/ssh/keys", exist_ok=True)
    for name in names:
        with open(f"/etc/ssh/keys/{name}", "w") as keys:
            keys.write(open("/root/key.pub").read())


def ssh_with_key(m, name, command="id -un", options=()):
    options = [word for option in options for word in ("-o", option)]
    return m.run("ssh", "-F", "/dev/null", "-i", "/root/key", "-o", "BatchMode=yes", *options, f"{name}@localhost", command)
