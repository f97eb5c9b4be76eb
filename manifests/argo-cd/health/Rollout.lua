-- Health of a Rollout (gatehold.dev). What nobody has looked at is never healthy, and what waits for people is Suspended: sync waves
-- wait for that. A rejected spec is Degraded as long as Git holds it, also when the former version serves again.
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation or status.conditions == nil then
  return {status = "Progressing", message = "the operator has not looked at it yet"}
end
local known = {}
for _, condition in ipairs(status.conditions) do
  known[condition.type] = condition
end
local function holds(kind)
  return known[kind] ~= nil and known[kind].status == "True"
end
if holds("Stalled") then
  return {status = "Degraded", message = known.Stalled.message}
end
if holds("Ready") and not holds("Reconciling") and not holds("Held") then
  return {status = "Healthy", message = known.Ready.message}
end
if holds("Held") then
  return {status = "Suspended", message = known.Held.message}
end
if holds("Reconciling") then
  return {status = "Progressing", message = known.Reconciling.message}
end
return {status = "Progressing", message = "the operator has not said yet where it stands"}
