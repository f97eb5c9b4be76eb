-- Health of a Gate: Ready, or everything behind it is held until somebody mends it.
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation or status.conditions == nil then
  return {status = "Progressing", message = "the operator has not looked at it yet"}
end
for _, condition in ipairs(status.conditions) do
  if condition.type == "Ready" and condition.status == "True" then
    return {status = "Healthy", message = condition.message}
  end
  if condition.type == "Ready" and condition.status == "False" then
    return {status = "Degraded", message = condition.message}
  end
end
return {status = "Progressing", message = "the operator has not said yet where it stands"}
