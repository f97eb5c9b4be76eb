-- What Argo CD offers on an ApprovalRequest: to withdraw it, where a robot opened it (Argo CD itself among them), it was applied by
-- Argo CD, and it is still open. The API server has the last word: only the account that opened a request withdraws it.
local actions = {}
local requester = obj.spec.requester and obj.spec.requester.username or ""
-- no string library here: ';' is the character that follows ':'
local robot = requester >= "system:serviceaccount:" and requester < "system:serviceaccount;"
local notes = obj.metadata.annotations or {}
local labels = obj.metadata.labels or {}
local tracked = notes["argocd.argoproj.io/tracking-id"] ~= nil
if not robot or not tracked or labels["gatehold.dev/gate"] ~= nil then
  return actions
end
local phase = obj.status and obj.status.phase
local effect = obj.spec.effect and obj.spec.effect.type or "None"
local open = phase == "Pending" or (phase == "Approved" and effect ~= "None")
actions["withdraw"] = {disabled = not open}
return actions
