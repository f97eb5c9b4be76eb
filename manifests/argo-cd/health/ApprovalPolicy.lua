-- Health of an ApprovalPolicy. Not Ready: requests under it are held until somebody mends it. Not Enforced: nothing is let go until the
-- wall is proven again, as for some seconds after each start of the operator; if that lasts, the operator's alert says so.
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation or status.conditions == nil then
  return {status = "Progressing", message = "the operator has not looked at it yet"}
end
local known = {}
for _, condition in ipairs(status.conditions) do
  known[condition.type] = condition
end
if known.Ready ~= nil and known.Ready.status == "False" then
  return {status = "Degraded", message = known.Ready.message}
end
if known.Enforced ~= nil and known.Enforced.status == "False" then
  return {status = "Progressing", message = known.Enforced.message}
end
if known.Ready ~= nil and known.Ready.status == "True" and known.Enforced ~= nil and known.Enforced.status == "True" then
  return {status = "Healthy", message = known.Ready.message}
end
return {status = "Progressing", message = "the operator has not said yet where it stands"}
