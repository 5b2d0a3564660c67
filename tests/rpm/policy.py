"""Asks the linked SELinux policy what our domains, and others to them, may do. Arguments: the policy, and our module.

The policy is Debian's, which is the reference policy; what only Fedora's has is said in rpm/selinux under distro_redhat.
"""

import re
import subprocess
import sys
import tempfile

import setools

CLIENTS = ("sshd_t", "local_login_t", "remote_login_t", "xdm_t", "crond_t", "passwd_t", "policykit_auth_t", "staff_sudo_t", "user_t",
           "staff_t", "sysadm_t", "unconfined_t", "init_t", "pam_oidcd_t")
STRANGERS = ("httpd_t", "sssd_t", "syslogd_t", "nscd_t")
SOCKETS = {"pam_oidcd": "pam_oidcd_var_run_t", "provisiond": "provisiond_var_run_t"}

NETWORK = [("self", kind, "create") for kind in ("tcp_socket", "udp_socket", "rawip_socket", "packet_socket")]

# What each daemon needs; the other list is what it must not be able to do even when it was taken over.
MAY = {
    "pam_oidcd_t": [
        ("pam_oidc_secret_t", "file", "read"), ("http_port_t", "tcp_socket", "name_connect"), ("self", "tcp_socket", "connect"),
        ("http_cache_port_t", "tcp_socket", "name_connect"), ("cert_t", "file", "read"), ("net_conf_t", "file", "read"),
        ("provisiond_t", "unix_stream_socket", "connectto"), ("syslogd_t", "unix_dgram_socket", "sendto"),
        ("init_t", "unix_dgram_socket", "sendto"), ("self", "unix_stream_socket", "accept"), ("self", "process", "setrlimit"),
    ],
    "provisiond_t": [
        ("shadow_t", "file", "create"), ("shadow_t", "file", "relabelto"), ("shadow_t", "file", "rename"), ("etc_t", "dir", "add_name"),
        ("user_home_dir_t", "dir", "create"), ("user_home_t", "file", "create"), ("user_home_t", "file", "setattr"),
        ("home_root_t", "dir", "add_name"), ("ssh_home_t", "file", "unlink"), ("provisiond_var_lib_t", "file", "create"),
        ("self", "netlink_audit_socket", "nlmsg_relay"), ("self", "capability", "audit_write"), ("self", "capability", "chown"),
        ("syslogd_t", "unix_dgram_socket", "sendto"), ("init_t", "unix_dgram_socket", "sendto"), ("sssd_t", "unix_stream_socket", "connectto"),
        ("user_t", "process", "sigkill"), ("user_cron_spool_t", "file", "rename"), ("mail_spool_t", "file", "rename"),
    ],
    "init_t": [
        (target, kind, permission)
        for name in SOCKETS
        for target, kind, permission in (
            (f"{name}_t", "process", "transition"), (f"{name}_t", "process2", "nnp_transition"),
            (f"{name}_t", "unix_stream_socket", "listen"), (SOCKETS[name], "sock_file", "create"),
            (SOCKETS[name], "sock_file", "unlink"), (SOCKETS[name], "dir", "create"), ("provisiond_var_lib_t", "dir", "mounton"),
        )
    ],
}
MAY_NOT = {
    "pam_oidcd_t": [
        (target, "file", permission)
        for target in ("shadow_t", "etc_t", "passwd_exec_t", "bin_t", "lib_t", "usr_t", "user_home_t", "provisiond_var_lib_t", "pam_oidc_secret_t")
        for permission in ("write", "append", "create", "unlink", "rename", "setattr", "relabelto")
    ] + [
        ("shadow_t", "file", "read"), ("provisiond_var_lib_t", "file", "read"), ("user_home_t", "file", "read"),
        ("sshd_key_t", "file", "read"), ("etc_t", "dir", "add_name"), ("tmp_t", "dir", "add_name"), ("var_lib_t", "dir", "add_name"),
        ("shell_exec_t", "file", "execute"), ("bin_t", "file", "execute"), ("ssh_port_t", "tcp_socket", "name_connect"),
        ("self", "tcp_socket", "listen"), ("http_port_t", "tcp_socket", "name_bind"), ("self", "capability", "setuid"),
        ("self", "capability", "dac_override"), ("sshd_t", "process", "ptrace"), ("sshd_t", "process", "sigkill"),
    ],
    "provisiond_t": NETWORK + [
        ("http_port_t", "tcp_socket", "name_connect"), ("pam_oidc_secret_t", "file", "read"), ("sshd_key_t", "file", "read"),
        ("shell_exec_t", "file", "execute"), ("bin_t", "file", "execute"), ("bin_t", "file", "write"), ("lib_t", "file", "write"),
        ("usr_t", "file", "write"), ("boot_t", "file", "write"), ("self", "capability", "sys_admin"), ("self", "capability", "setuid"),
        ("self", "capability", "dac_override"), ("self", "capability", "net_admin"), ("sshd_t", "process", "ptrace"),
        ("unconfined_t", "process", "transition"), ("user_cron_spool_t", "file", "write"),
    ],
}
# Whatever may read "all files" stays out.
for stranger in ("httpd_t", "sshd_t", "user_t", "staff_t", "sssd_t", "crond_t"):
    MAY_NOT[stranger] = [("pam_oidc_secret_t", "file", "read"), ("provisiond_var_lib_t", "file", "read")]

LABELS = {
    "/usr/sbin/pam_oidcd": "pam_oidcd_exec_t", "/usr/bin/pam_oidcd": "pam_oidcd_exec_t", "/usr/sbin/provisiond": "provisiond_exec_t",
    "/usr/sbin/provisionctl": None, "/etc/pam_oidc": "pam_oidc_secret_t", "/etc/pam_oidc/clinic.secret": "pam_oidc_secret_t",
    "/etc/pam_oidc.conf": None, "/run/pam_oidc": "pam_oidcd_var_run_t", "/run/pam_oidc/socket": "pam_oidcd_var_run_t",
    "/run/provisiond/socket": "provisiond_var_run_t", "/var/lib/provisiond/accounts.db": "provisiond_var_lib_t",
    "/var/lib/provisiond": "provisiond_var_lib_t", "/run/provisiond-other": None,
}

results = []


def result(name, faults):
    print(f"ok rpm: policy: {name}" if not faults else f"not ok rpm: policy: {name}: " + "; ".join(faults))
    results.append(not faults)


class Policy:
    def __init__(self, path):
        self.policy = setools.SELinuxPolicy(path)
        self.types = {str(kind) for kind in self.policy.types()}

    def allows(self, source, target, kind, permission):
        """Whether a rule allows it, by whatever attributes; one behind a boolean counts."""
        query = setools.TERuleQuery(
            self.policy, ruletype=["allow"], source=source, target=source if target == "self" else target, tclass=[kind],
            perms=[permission], source_indirect=True, target_indirect=True,
        )
        return any(True for _ in query.results())

    def wrong(self, source, rules, expected):
        """The rules that are not as expected; a type that this policy lacks is a fault of the list."""
        for name in {source, *(target for target, _, _ in rules if target != "self")} - self.types:
            raise SystemExit(f"not ok rpm: policy: there is no type {name}")
        return [
            f"{source} may {'' if not expected else 'not '}{permission} {target}:{kind}"
            for target, kind, permission in rules
            if self.allows(source, target, kind, permission) is not expected
        ]


def sockets_of(name):
    return [(f"{name}_t", "unix_stream_socket", "connectto"), (SOCKETS[name], "sock_file", "write"), (SOCKETS[name], "dir", "search")]


def check_labels(module):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["semodule_unpackage", module, f"{folder}/mod", f"{folder}/fc"], check=True)
        rows = [line.split() for line in open(f"{folder}/fc") if line.strip()]
    faults = []
    for path, expected in LABELS.items():
        found = [row[-1].split(":")[2] for row in rows if re.fullmatch(row[0], path)]
        if found != ([expected] if expected else []):
            faults.append(f"{path} has {found}")
    result("files have the labels that they should", faults)


def main():
    policy = Policy(sys.argv[1])
    asking = [rule for name in SOCKETS for rule in sockets_of(name)]
    provisiond_alone = sockets_of("provisiond")
    faults = [fault for client in CLIENTS for fault in policy.wrong(client, provisiond_alone if client == "pam_oidcd_t" else asking, True)]
    result("sshd, login, sudo, display managers, cron and sessions may ask both daemons", faults)
    result("a web server and others may ask neither", [fault for stranger in STRANGERS for fault in policy.wrong(stranger, asking[:1] + asking[3:4], False)])
    result("what the daemons and the service manager need is allowed", [fault for source in MAY for fault in policy.wrong(source, MAY[source], True)])
    result("pam_oidcd may write nothing of the system's", policy.wrong("pam_oidcd_t", MAY_NOT["pam_oidcd_t"], False))
    result("provisiond may reach no network and run no program", policy.wrong("provisiond_t", MAY_NOT["provisiond_t"], False))
    result(
        "secrets and the record are closed to all others",
        [fault for source in MAY_NOT if source not in ("pam_oidcd_t", "provisiond_t") for fault in policy.wrong(source, MAY_NOT[source], False)],
    )
    check_labels(sys.argv[2])
    sys.exit(0 if all(results) else 1)


main()
