package api

import "github.com/rotaqueue/rota"

// Prefix is where the API lives below the server's address.
const Prefix = "/api/v1"

// anybody is the role of a route that asks nobody who they are.
const anybody rota.Role = ""

const (
	viewer    = rota.RoleViewer
	submitter = rota.RoleSubmitter
	operator  = rota.RoleOperator
	admin     = rota.RoleAdmin
	node      = rota.RoleNode // and admins
)

// routes are all routes there are. Nothing can be reached that does not stand here, with the role that it needs.
var routes = []route{
	{"GET", "/", anybody, "root", "What this is", plain("text/plain", (*Server).root)},
	{"GET", "/livez", anybody, "livez", "Whether the process answers", plain("text/plain", (*Server).livez)},
	{"GET", "/readyz", anybody, "readyz", "Whether the store answers", plain("text/plain", (*Server).readyz)},
	{"GET", "/metrics", viewer, "metrics", "Figures for Prometheus", plain("text/plain", (*Server).metrics)},
	{"GET", Prefix + "/openapi.json", anybody, "openapi", "This description", plain("application/openapi+json", (*Server).openapiJSON)},
	{"GET", Prefix + "/openapi.yaml", anybody, "openapi-yaml", "This description as YAML", plain("application/openapi+yaml", (*Server).openapiYAML)},

	{"POST", Prefix + "/jobs", submitter, "submit", "Submit a job", on(submit)},
	{"GET", Prefix + "/jobs", viewer, "list-jobs", "Jobs, newest first", on(listJobs)},
	{"GET", Prefix + "/jobs/{job}", viewer, "get-job", "A job", on(getJob)},
	{"POST", Prefix + "/jobs/{job}/parts", submitter, "upload", "Add a part to a job submitted with more", on(upload)},
	{"GET", Prefix + "/jobs/{job}/progress", viewer, "watch", "A job's progress, as soon as it differs from the ETag in If-None-Match", waits(watch)},
	{"GET", Prefix + "/jobs/{job}/input", node, "input", "A piece of a job's uploaded standard input, for nodes", on(input)},

	{"GET", Prefix + "/tasks", viewer, "list-tasks", "Tasks, by id", on(listTasks)},
	{"GET", Prefix + "/tasks/{task}", viewer, "get-task", "A task and its earlier attempts", on(getTask)},
	{"GET", Prefix + "/tasks/{task}/samples", viewer, "samples", "What an attempt of a task used over time", on(samples)},
	{"GET", Prefix + "/tasks/{task}/output", viewer, "output", "A piece of a task's output, live while it runs", waits(output)},
	{"GET", Prefix + "/tasks/{task}/output/raw", viewer, "raw-output", "All that is kept of a task's output, as text", rawOutput},
	{"POST", Prefix + "/tasks/{task}/attempts/{attempt}/output", node, "keep-output", "Keep output of a running attempt, for nodes", on(keepOutput)},

	{"POST", Prefix + "/looks", node, "show-output", "Show a piece of a running attempt's output to who looks at another server, for nodes", on(showOutput)},

	{"POST", Prefix + "/operations", submitter, "operate", "Act on many tasks", on(operate)},
	{"GET", Prefix + "/operations/{operation}", viewer, "get-operation", "An operation and how far it is", on(getOperation)},

	{"GET", Prefix + "/status", viewer, "status", "What the server says of itself and of who asks", on(status)},
	{"GET", Prefix + "/queues", viewer, "list-queues", "Queues", on(listQueues)},
	{"PATCH", Prefix + "/queues/{queue}", operator, "change-queue", "Change settings of a queue, also for what waits in it", on(changeQueue)},
	{"GET", Prefix + "/nodes", viewer, "list-nodes", "Nodes", on(listNodes)},
	{"POST", Prefix + "/nodes/{node}/drain", operator, "drain-node", "Ask a node to claim nothing more, to let what runs end, and then to end itself", on(drainNode)},
	{"POST", Prefix + "/nodes/{node}/pause", operator, "pause-node", "Ask a node to claim nothing until it is resumed, over its restarts too", on(pauseNode)},
	{"POST", Prefix + "/nodes/{node}/resume", operator, "resume-node", "Let a node that was paused go on", on(resumeNode)},
	{"DELETE", Prefix + "/nodes/{node}", operator, "remove-node", "Remove a node that is down or lost, perhaps for good", on(removeNode)},
	{"GET", Prefix + "/nodes/{node}/samples", viewer, "node-samples", "What a node and its machine did over time", on(nodeSamples)},
	{"GET", Prefix + "/schedules", viewer, "list-schedules", "Schedules", on(listSchedules)},
	{"POST", Prefix + "/schedules", submitter, "put-schedule", "Create a schedule, or change the one of that name", on(putSchedule)},
	{"DELETE", Prefix + "/schedules/{schedule}", submitter, "drop-schedule", "Remove a schedule", on(dropSchedule)},
	{"GET", Prefix + "/tokens", admin, "list-tokens", "Tokens, without their secrets", on(listTokens)},
	{"POST", Prefix + "/tokens", admin, "create-token", "Make a token; the answer alone has its secret", on(createToken)},
	{"DELETE", Prefix + "/tokens/{token}", admin, "drop-token", "Withdraw a token", on(dropToken)},

	{"POST", Prefix + "/sessions", node, "open-session", "Register a node and open its session", on(openSession)},
	{"DELETE", Prefix + "/sessions/{session}", node, "close-session", "End a session cleanly", on(closeSession)},
	{"GET", Prefix + "/sessions/{session}/news", node, "await", "Wait until the session may find work, or is asked to end or show something, to drain, to pause or to go on", waits(await)},
	{"POST", Prefix + "/renewals", node, "renew", "Keep a session's lease", on(renew)},
	{"POST", Prefix + "/exchanges", node, "exchange", "Finish what ended and claim what fits", on(exchange)},
}
