/**
 * The developer's side, which holds the access key of the profile that `daypass up` has written. The SDK takes
 * key, Region and endpoints from that profile, so that its clients are told nothing else.
 */
import { DescribeIdentityPoolCommand, SetIdentityPoolRolesCommand, UpdateIdentityPoolCommand } from '@aws-sdk/client-cognito-identity';

/** Leads the SDK to the written profile, and away from anything else on this machine. */
export function useProfile(daypass) {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  process.env.AWS_CONFIG_FILE = daypass.aws_config_file;
  process.env.AWS_SHARED_CREDENTIALS_FILE = daypass.aws_shared_credentials_file;
  process.env.AWS_PROFILE = daypass.aws_profile;
}

/** Turns guests on, and gives them the role that is made for them. Both calls replace what was there. */
export async function letGuestsIn(cognito, daypass) {
  const at = { IdentityPoolId: daypass.identity_pool_id };
  const { $metadata: _, ...pool } = await cognito.send(new DescribeIdentityPoolCommand(at));
  await cognito.send(new UpdateIdentityPoolCommand({ ...pool, AllowUnauthenticatedIdentities: true }));
  const roles = { authenticated: daypass.role_arn, unauthenticated: daypass.guest_role_arn };
  await cognito.send(new SetIdentityPoolRolesCommand({ ...at, Roles: roles }));
}
