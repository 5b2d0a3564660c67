# make deb: the Debian packages of this checkout, into build/deb/RELEASE/.

deb:
	tests/deb

.PHONY: deb
