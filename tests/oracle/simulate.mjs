// Ask iam-simulate: a line of JSON `[policy, request]` on stdin, a line of JSON on stdout for each:
// true (an explicit deny), false, or a string that says why there is no answer.
import { createInterface } from 'node:readline'
import { createValidatedPolicy, validateResourcePolicy } from '@cloud-copilot/iam-policy'
import { anonymousPrincipal, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

function isDenied(policy, request) {
  // The simulator asks the policy for a name, which only this wrapper gives it.
  const resourcePolicy = createValidatedPolicy(policy, validateResourcePolicy, { name: 'bucket' })
  if (resourcePolicy.errors.length > 0) {
    return `refused: ${resourcePolicy.errors.map((error) => error.message).join('; ')}`
  }
  const result = runUnsafeSimulation({
    request: {
      principal: request.principal === 'anonymous' ? anonymousPrincipal : request.principal,
      action: request.action,
      resource: { resource: request.resource, accountId: '111122223333' },
      contextVariables: request.context,
    },
    identityPolicies: [],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy,
  }, {})
  return result === 'ExplicitlyDenied'
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    answer = isDenied(...JSON.parse(line))
  } catch (error) {
    answer = `failed: ${error}`
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
