// A certified OpenID provider (npm's oidc-provider) with its device grant, for the interoperability tests. Everything that it
// answers comes from that package; here stand only people, clients, keys and what of its configuration a test may choose.
//
//   node provider.mjs FOLDER ISSUER SETTINGS      FOLDER has cert.pem and key.pem; SETTINGS is JSON, see `settings` below
//
// It prints `ready`, then one line of JSON for each request that it has answered, and ends at SIGTERM. The keys that it signs
// with are made anew each time. People approve on the package's own pages; any password does.
import { createPublicKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import * as querystring from 'node:querystring';
import Provider, { errors } from 'oidc-provider';

const [folder, issuer, given] = process.argv.slice(2);
const settings = {
	people: {}, // {LOGIN: {sub, email, ...}}; claims beside the standard ones go with the scope of their name
	clients: [], // each client's metadata; `pem` has the public key that it signs with, or is encrypted to
	configuration: {}, // laid over what `configuration` below says, member by member
	deviceFlow: {}, // mask, charset
	codeLife: 600, // seconds
	idTokenLife: 3600,
	slowDown: 0, // polls that hear slow_down, as an operator's own limit in front of the provider would say it
	tokensOf: null, // another client: what our client asks for is done in that one's name
	...JSON.parse(given ?? '{}'),
};

function jwk(type, options, use = 'sig') {
	return { ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use, kid: randomUUID() };
}

const nativeClient = {
	application_type: 'native',
	grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
	redirect_uris: [],
	response_types: [],
	token_endpoint_auth_method: 'none',
};

function clientMetadata({ pem, ...members }) {
	const keys = pem ? { jwks: { keys: [createPublicKey(pem).export({ format: 'jwk' })] } } : {};
	return { ...nativeClient, ...keys, ...members };
}

const configuration = {
	clients: settings.clients.map(clientMetadata),
	claims: { email: ['email', 'email_verified'], profile: ['name', 'preferred_username', 'linux_name'], groups: ['groups'] },
	cookies: { keys: [randomBytes(32).toString('hex')] },
	enabledJWA: {
		idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'],
		userinfoSigningAlgValues: ['RS256'],
		clientAuthSigningAlgValues: ['RS256', 'ES256'],
		idTokenEncryptionAlgValues: ['RSA-OAEP'],
	},
	features: {
		deviceFlow: { enabled: true, ...settings.deviceFlow },
		devInteractions: { enabled: true },
		encryption: { enabled: true },
		jwtUserinfo: { enabled: true },
	},
	jwks: {
		keys: [
			jwk('rsa', { modulusLength: 2048 }),
			jwk('ec', { namedCurve: 'P-256' }),
			jwk('ed25519'),
			jwk('rsa', { modulusLength: 2048 }, 'enc'),
		],
	},
	scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
	ttl: { AccessToken: 600, DeviceCode: settings.codeLife, Grant: 3600, IdToken: () => settings.idTokenLife, Interaction: 600, Session: 3600 },
	async findAccount(context, login) {
		const person = settings.people[login];
		return person && { accountId: login, claims: async () => person };
	},
	...settings.configuration,
};

const provider = new Provider(issuer, configuration);

async function limitPolls(context, next) {
	if (context.path !== '/token' || settings.slowDown <= 0)
		return next();
	settings.slowDown -= 1;
	const refusal = new errors.SlowDown();
	context.status = refusal.statusCode;
	context.body = { error: refusal.error, error_description: refusal.error_description };
}

async function speakForAnother(context, next) {
	if (settings.tokensOf && ['/device/auth', '/token'].includes(context.path)) {
		const chunks = [];
		for await (const chunk of context.req)
			chunks.push(chunk);
		const body = querystring.parse(Buffer.concat(chunks).toString());
		context.req.body = { ...body, client_id: settings.tokensOf };
	}
	return next();
}

async function tell(context, next) {
	await next();
	const { method, path, status, body } = context;
	console.log(JSON.stringify({ at: Date.now(), method, path, status, error: body?.error }));
}

provider.use(tell);
provider.use(limitPolls);
provider.use(speakForAnother);
provider.on('server_error', (context, error) => console.error(error));

const { hostname, port } = new URL(issuer);
const server = createServer(
	{ cert: readFileSync(`${folder}/cert.pem`), key: readFileSync(`${folder}/key.pem`) },
	provider.callback(),
);
server.listen(Number(port), hostname, () => console.log('ready'));
process.on('SIGTERM', () => process.exit(0));
