# For /etc/profile.d of a shared terminal: a shell at the console in which nobody types for ten minutes ends. Only bash and ksh
# know TMOUT; a program that is running in the shell is not ended by it.
if [ -n "${OIDC_EMAIL:-}" ] && [ -z "${SSH_CONNECTION:-}" ]; then
	TMOUT=600
	readonly TMOUT
	export TMOUT
fi
