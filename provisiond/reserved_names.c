/*
 * The built-in list of reserved names. Names of sysusers.d, of this machine's users and groups, and of the
 * configuration come on top of it: see facts.h.
 */
#include "provisiond/reserved_names.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
	/* clang-format off */
	"_apt", "_chrony", "_flatpak", "_greetd", "_laurel", "_pam_oidc", "_rpc", "_ssh", "abuse", "acme", "adm",
	"adm_log", "admin", "administrator", "administrators", "all", "almalinux", "amavis", "anacron", "anonymous",
	"ansible", "any", "apache", "at", "atd", "audio", "auditd", "avahi", "avahi-autoipd", "azureuser", "backup",
	"bin", "bind", "bluetooth", "bumblebee", "caddy", "cassandra", "cdrom", "centos", "ceph", "cert", "certs",
	"chef", "chrony", "clamav", "cloud-init", "cloud-user", "cockpit-ws", "cockpit-wsinstance", "collectd",
	"colord", "console", "consul", "containerd", "core", "cron", "crond", "crontab", "cups", "cups-pk-helper",
	"daemon", "dba", "dbus", "debian", "debian-exim", "debian-spamd", "default", "default-user", "dialout",
	"dip", "disk", "dnsmasq", "docker", "dockerroot", "dovecot", "dovenull", "ec2-user", "elasticsearch", "etcd",
	"exim", "fax", "fedora", "flatpak", "floppy", "fluentd", "freeradius", "ftp", "fwupd", "fwupd-refresh",
	"games", "gdm", "gdm3", "geoclue", "git", "gitea", "gitlab", "gitlab-runner", "gluster", "gnats",
	"gnome-initial-setup", "gpio", "grafana", "greeter", "guest", "halt", "haproxy", "hostmaster", "httpd",
	"i2c", "icinga", "incus", "incus-admin", "influxdb", "input", "ipsec", "irc", "iscsi", "jenkins", "jetty",
	"kafka", "kdm", "kerberos", "kibana", "kmem", "krb5", "kube", "kubernetes", "kvm", "landscape", "ldap",
	"letsencrypt", "libvirt", "libvirt-qemu", "libvirtdbus", "lightdm", "lighttpd", "list", "local", "locate",
	"lock", "logcheck", "logstash", "lp", "lpadmin", "lpd", "lxc", "lxd", "lxd-agent", "mail", "mailman",
	"mailnull", "man", "mariadb", "memcache", "memcached", "messagebus", "minio", "mlocate", "mongodb",
	"multipath", "munin", "mysql", "nagios", "named", "netdev", "news", "nfs", "nfsnobody", "nginx",
	"nm-openconnect", "nm-openvpn", "nm-strongswan", "nobody", "node_exporter", "nogroup", "nomad", "none",
	"nrpe", "nscd", "nslcd", "ntp", "ntpsec", "nut", "oidc", "oinstall", "okta", "opc", "opendkim", "openldap",
	"openntpd", "openvpn", "operator", "oprofile", "oracle", "ossec", "pam_oidc", "pam_oidcd", "pcap", "pcscd",
	"pi", "pipewire", "plocate", "plugdev", "podman", "polkitd", "polkituser", "postdrop", "postfix", "postgres",
	"postgresql", "postmaster", "prometheus", "provisiond", "proxy", "pulse", "pulse-access", "puppet", "qemu",
	"rabbitmq", "radiusd", "redis", "remote", "render", "rkt", "rocky", "root", "rpc", "rpcuser", "rsyslog",
	"rtkit", "salt", "samba", "sambashare", "sane", "saned", "sasl", "saslauth", "scanner", "scard", "sddm",
	"security", "self", "sendmail", "sgx", "shadow", "shutdown", "slapd", "slocate", "smmsp", "smmta",
	"snap_daemon", "snapd", "snmp", "snmpd", "snort", "solr", "speech-dispatcher", "spi", "squid", "src", "ssh",
	"ssh_keys", "sshd", "ssl-cert", "ssl-users", "sssd", "staff", "stapdev", "stapsys", "stapusr", "statd",
	"strongswan", "sudo", "superuser", "supervisor", "support", "suricata", "svn", "sync", "sys", "sysadmin",
	"syslog", "systemd-bus-policy", "systemd-bus-proxy", "systemd-coredump", "systemd-journal",
	"systemd-journal-remote", "systemd-journal-upload", "systemd-network", "systemd-oom", "systemd-resolve",
	"systemd-timesync", "systemd-timesyncd", "tape", "tcpdump", "tcpwrapper", "telegraf", "tomcat", "toor",
	"tss", "tty", "ubuntu", "unbound", "unknown", "unscd", "usbmux", "usbmuxd", "users", "utmp", "uucp", "uuid",
	"uuidd", "vagrant", "varnish", "vault", "vboxadd", "vboxsf", "vboxusers", "video", "vmware", "voice",
	"wazuh", "webmaster", "wheel", "wildfly", "winbindd_priv", "wireguard", "wireshark", "wireshark-users",
	"www-data", "xdm", "zabbix", "zookeeper",
	/* clang-format on */
};

bool reserved_name(const char *name)
{
	/* systemd makes more of these with every release. */
	if (strncmp(name, "systemd-", strlen("systemd-")) == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}
