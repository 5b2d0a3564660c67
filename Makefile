# Builds, installs and tests pam_oidc. `make help` lists the targets.
#
#   CC=clang            another compiler
#   BUILD=build/asan    another build folder
#   SANITIZE=1          AddressSanitizer and UBSan
#   prefix= DESTDIR=    as usual; PAMDIR and NSSDIR are found by themselves

BUILD ?= build
prefix ?= /usr
sbindir ?= $(prefix)/sbin
docdir ?= $(prefix)/share/doc/pam_oidc
completiondir ?= $(prefix)/share/bash-completion/completions
unitdir ?= $(prefix)/lib/systemd/system
mandir ?= $(prefix)/share/man
# The folder of libc itself is where the dynamic linker finds NSS modules; PAM modules live in security/ beside it.
LIBDIR ?= $(patsubst %/,%,$(dir $(realpath $(shell $(CC) -print-file-name=libc.so.6))))
PAMDIR ?= $(LIBDIR)/security
NSSDIR ?= $(LIBDIR)

WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow -Wcast-qual -Wformat=2 -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wpointer-arith -Wundef
CFLAGS ?= -O2 -g
ifdef SANITIZE
HARDENING := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -fPIC
LINK_HARDENING := -fsanitize=address,undefined
SOFLAGS := -shared
else
HARDENING := -fPIC -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LINK_HARDENING := -Wl,-z,relro,-z,now,-z,noexecstack
SOFLAGS := -shared -Wl,-z,defs
endif
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -I. $(WARNINGS) $(HARDENING) $(CFLAGS)
LDFLAGS += $(LINK_HARDENING) -Wl,--as-needed

PKG = $(shell pkg-config $(1) $(2))

COMMON_LIBC := wire names reason
COMMON_MODULE := $(COMMON_LIBC) utf8
COMMON_CTL := $(COMMON_LIBC) secret
COMMON_DAEMON := $(COMMON_LIBC) clean_start log secret trusted_file listen watchdog network username_format config config_keys config_values remote_from utf8

MODULE_SOURCES := $(wildcard pam_oidc/module/*.c)
PAM_OIDCD_SOURCES := $(wildcard pam_oidc/*.c)
PROVISIOND_SOURCES := $(wildcard provisiond/*.c)
NSS_SOURCES := $(wildcard provisiond/nss/*.c)
PROVISIONCTL_SOURCES := $(wildcard provisiond/ctl/*.c provisiond/ctl/*/*.c) provisiond/file_attributes.c
PROVISIONCTL_LIBS = $(call PKG,--libs,libmd) -ldl
ISSUER_SOURCES := $(wildcard tests/issuer/*.c)
UNIT_SOURCES := $(wildcard tests/unit/*.c)
MANUALS := $(wildcard pam_oidc/*.[58] provisiond/*.8 provisiond/ctl/*.8 provisiond/nss/*.8)

# In a folder of their own: the program provisiond stands where the objects of the folder provisiond/ would.
objects = $(patsubst %.c,$(BUILD)/objects/%.o,$(1))
common = $(call objects,$(patsubst %,common/%.c,$(1)))

PRODUCTS := $(BUILD)/pam_oidc.so $(BUILD)/pam_oidcd $(BUILD)/provisiond $(BUILD)/libnss_oidc.so.2 $(BUILD)/provisionctl
TEST_PRODUCTS := $(BUILD)/tests/issuer/issuer $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SOURCES))

# V=1 shows every command.
Q := $(if $(V),,@)

all: $(PRODUCTS)

tests-build: all $(TEST_PRODUCTS)

help:
	@echo 'make            build everything into $(BUILD)/'
	@echo 'make deps       install what building and testing need (apt or dnf; as root)'
	@echo 'make check      all tests (as root; the machine stays as it is)'
	@echo 'make fuzz       fuzz every parser and the PAM module (TIME=600: seconds for each; needs clang)'
	@echo 'make bench      figures beside those of what people would use instead (as root; QUICK=1: ratios only; ROWS="part of a name")'
	@echo 'make demo       a sign-in from end to end in your terminal (as root; the machine stays as it is)'
	@echo 'make deb        the Debian packages of this release, into build/deb/ (needs what debian/control names)'
	@echo 'make install    into DESTDIR and prefix; nothing is enabled'
	@echo 'make dist       the sources as one file, $(BUILD)/pam_oidc-VERSION.tar.gz'
	@echo 'make rpm        packages for Fedora and RHEL, into $(BUILD)/rpm/'
	@echo 'make clean      remove $(BUILD)/'

define compile
	@mkdir -p $(@D)
	@echo '  CC   $<'
	$(Q)$(CC) $(ALL_CFLAGS) $(CPPFLAGS_$(subst /,_,$(<D))) -MMD -MP -c $< -o $@
endef

$(BUILD)/objects/%.o: %.c
	$(compile)

$(BUILD)/%.o: %.c
	$(compile)

CPPFLAGS_common := $(call PKG,--cflags,ini_config)
# Where provisionctl finds what is installed. The copy that is packaged is not the one that is built, so no DESTDIR.
INSTALLED := -DSBINDIR='"$(sbindir)"' -DPAMDIR='"$(PAMDIR)"' -DUNITDIR='"$(unitdir)"'
CPPFLAGS_provisiond_ctl_setup := $(INSTALLED)
CPPFLAGS_provisiond_ctl_health := $(INSTALLED)

$(BUILD)/pam_oidc.so: $(call objects,$(MODULE_SOURCES)) $(call common,$(COMMON_MODULE)) pam_oidc/module/pam_oidc.map
	@echo '  LINK $@'
	$(Q)$(CC) $(SOFLAGS) $(LDFLAGS) -Wl,--version-script=pam_oidc/module/pam_oidc.map -o $@ $(filter %.o,$^) -lpam

$(BUILD)/libnss_oidc.so.2: $(call objects,$(NSS_SOURCES)) $(call common,$(COMMON_LIBC)) provisiond/nss/libnss_oidc.map
	@echo '  LINK $@'
	$(Q)$(CC) $(SOFLAGS) $(LDFLAGS) -Wl,-soname,libnss_oidc.so.2 -Wl,--version-script=provisiond/nss/libnss_oidc.map -o $@ $(filter %.o,$^)

$(BUILD)/pam_oidcd: $(call objects,$(PAM_OIDCD_SOURCES)) $(call common,$(COMMON_DAEMON))
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(call PKG,--libs,libcurl cjose jansson libssl libcrypto libqrencode ini_config)

$(BUILD)/provisiond: $(call objects,$(PROVISIOND_SOURCES)) $(call common,$(COMMON_DAEMON))
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(call PKG,--libs,sqlite3 libmd ini_config audit)

$(BUILD)/provisionctl: $(call objects,$(PROVISIONCTL_SOURCES)) $(call common,$(COMMON_CTL))
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(PROVISIONCTL_LIBS)

$(BUILD)/tests/issuer/issuer: $(call objects,$(ISSUER_SOURCES))
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(call PKG,--libs,libmicrohttpd jansson libcrypto libssl)

# A unit test links everything but the daemons' main files; what it does not use is dropped. An archive for each half,
# because both have files of the same name.
without_main = $(filter-out %_main.o,$(call objects,$(1)))
$(BUILD)/libpam_oidcd.a: $(call without_main,$(PAM_OIDCD_SOURCES))
$(BUILD)/libprovisiond.a: $(call without_main,$(PROVISIOND_SOURCES))
$(BUILD)/libcommon.a: $(call common,$(COMMON_DAEMON))
UNIT_ARCHIVES := $(BUILD)/libpam_oidcd.a $(BUILD)/libprovisiond.a $(BUILD)/libcommon.a
$(UNIT_ARCHIVES):
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(UNIT_ARCHIVES)
	@echo '  LINK $@'
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $(filter %.o,$^) $(UNIT_EXTRA_$*) $(UNIT_ARCHIVES) -Wl,--no-as-needed $(call PKG,--libs,cmocka) -Wl,--as-needed \
		$(call PKG,--libs,libcurl cjose jansson libssl libcrypto libqrencode sqlite3 libmd ini_config audit) -ldl

# Nothing is enabled, and no file of an administrator's is touched.
install: all
	install -d $(DESTDIR)$(PAMDIR) $(DESTDIR)$(NSSDIR) $(DESTDIR)$(sbindir) $(DESTDIR)$(docdir)/examples/pam.d \
		$(DESTDIR)$(completiondir) $(DESTDIR)$(unitdir) $(DESTDIR)$(prefix)/lib/sysusers.d $(DESTDIR)$(prefix)/lib/tmpfiles.d \
		$(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man8
	install -m 0644 $(BUILD)/pam_oidc.so $(DESTDIR)$(PAMDIR)/pam_oidc.so
	install -m 0644 $(BUILD)/libnss_oidc.so.2 $(DESTDIR)$(NSSDIR)/libnss_oidc.so.2
	install -m 0755 $(BUILD)/pam_oidcd $(BUILD)/provisiond $(BUILD)/provisionctl $(DESTDIR)$(sbindir)
	install -m 0644 etc/bash_completion/provisionctl $(DESTDIR)$(completiondir)
	install -m 0644 etc/systemd/* $(DESTDIR)$(unitdir)
	install -m 0644 etc/sysusers.d/pam_oidc.conf $(DESTDIR)$(prefix)/lib/sysusers.d
	install -m 0644 etc/tmpfiles.d/pam_oidc.conf $(DESTDIR)$(prefix)/lib/tmpfiles.d
	install -m 0644 README.md $(DESTDIR)$(docdir)
	for page in $(MANUALS); do sed 's|/usr/share/doc/pam_oidc|$(docdir)|' $$page | \
		install -m 0644 /dev/stdin $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/} || exit 1; done
	install -m 0644 etc/pam_oidc.conf.example etc/nsswitch.example etc/okta.md $(DESTDIR)$(docdir)/examples
	install -m 0644 etc/ssh/pam_oidc.conf.example $(DESTDIR)$(docdir)/examples/sshd_config.d.example
	install -m 0644 etc/pam.d/* $(DESTDIR)$(docdir)/examples/pam.d
	cd etc/shared-terminal && find . -type f -exec install -D -m 0644 {} $(abspath $(DESTDIR)$(docdir))/examples/shared-terminal/{} \;

deps:
	tests/deps

version:
	@sed -n 's/^#define PAM_OIDC_VERSION "\(.*\)"/\1/p' common/version.h

dist:
	@rpm/sources $(BUILD)

rpm:
	@rpm/build $(BUILD)

check:
	tests/check

demo:
	tests/demo

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/objects $(BUILD)/tests -type f -name '*.d' 2>/dev/null)

-include $(wildcard tests/*.mk)

.PHONY: all tests-build help install deps version dist rpm check demo clean
.SECONDARY:
