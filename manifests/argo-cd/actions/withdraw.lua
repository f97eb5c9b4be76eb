-- Takes a request back that Argo CD itself opened. There is no action that approves, denies or overrides: Argo CD writes with its own
-- account, so the person who pressed the button would be nowhere on record.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["gatehold.dev/withdraw"] = "withdrawn in Argo CD by whoever may run this action there"
return obj
