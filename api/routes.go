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
	{"GET", Prefix + "/jobs/{job}/artifacts", viewer, "list-artifacts", "Files that attempts of a job left and that were kept", on(listArtifacts)},
	{"GET", Prefix + "/jobs/{job}/input", node, "input", "A piece of a job's uploaded standard input, for nodes", on(input)},
	{"GET", Prefix + "/jobs/{job}/program", node, "program", "A piece of the blob that a job runs, for nodes", on(program)},

	{"GET", Prefix + "/edges", viewer, "list-edges", "Which jobs run after which, newest first", on(listEdges)},

	{"GET", Prefix + "/tasks", viewer, "list-tasks", "Tasks, by id", on(listTasks)},
	{"GET", Prefix + "/tasks/{task}", viewer, "get-task", "A task and its earlier attempts", on(getTask)},
	{"GET", Prefix + "/tasks/{task}/why", viewer, "why", "What keeps a task from starting, and when it is expected to start", on(why)},
	{"GET", Prefix + "/tasks/{task}/samples", viewer, "samples", "What an attempt of a task used over time", on(samples)},
	{"GET", Prefix + "/tasks/{task}/output", viewer, "output", "A piece of a task's output, live while it runs", waits(output)},
	{"GET", Prefix + "/tasks/{task}/output/raw", viewer, "raw-output", "All that is kept of a task's output, as text", rawOutput},
	{"POST", Prefix + "/tasks/{task}/attempts/{attempt}/output", node, "keep-output", "Keep output of a running attempt, for nodes", on(keepOutput)},

	{"GET", Prefix + "/tasks/{task}/attempts/{attempt}/artifacts/content", viewer, "artifact-content", "All of a file that an attempt left", artifactContent},
	{"GET", Prefix + "/tasks/{task}/attempts/{attempt}/artifacts/piece", viewer, "read-artifact", "A piece of a file that an attempt left", on(readArtifact)},
	{"PUT", Prefix + "/tasks/{task}/attempts/{attempt}/artifacts", node, "keep-artifact", "Keep a file that a running attempt has left, for nodes: the body is its bytes", keepArtifact},

	{"GET", Prefix + "/failures", viewer, "list-failures", "Failed tasks in groups, the largest first", on(listFailures)},
	{"GET", Prefix + "/usage", viewer, "usage", "What attempts took that ended since a time, and how long they waited", on(usage)},

	{"POST", Prefix + "/looks", node, "show-output", "Show a piece of a running attempt's output to who looks at another server, for nodes", on(showOutput)},

	{"POST", Prefix + "/operations", submitter, "operate", "Act on many tasks", on(operate)},
	{"GET", Prefix + "/operations/{operation}", viewer, "get-operation", "An operation and how far it is", on(getOperation)},

	{"PUT", Prefix + "/blobs/{blob}", submitter, "put-blob", "Keep a file: the body is its bytes", putBlob},
	{"GET", Prefix + "/blobs", viewer, "list-blobs", "Blobs, newest first", on(listBlobs)},
	{"GET", Prefix + "/blobs/{blob}", viewer, "get-blob", "A blob", on(getBlob)},
	{"GET", Prefix + "/blobs/{blob}/content", viewer, "blob-content", "All of a blob", blobContent},
	{"GET", Prefix + "/blobs/{blob}/piece", viewer, "read-blob", "A piece of a blob", on(readBlob)},
	{"DELETE", Prefix + "/blobs/{blob}", submitter, "drop-blob", "Let a blob go", on(dropBlob)},

	{"GET", Prefix + "/status", viewer, "status", "What the server says of itself and of who asks", on(status)},
	{"GET", Prefix + "/queues", viewer, "list-queues", "Queues", on(listQueues)},
	{"GET", Prefix + "/samples", viewer, "store-samples", "What all queues together held over time", on(storeSamples)},
	{"PATCH", Prefix + "/queues/{queue}", operator, "change-queue", "Change settings of a queue, also for what waits in it", on(changeQueue)},
	{"POST", Prefix + "/queues/{queue}/rename", operator, "rename-queue", "Give a queue, with all that is in it, another name", on(renameQueue)},
	{"DELETE", Prefix + "/queues/{queue}", operator, "drop-queue", "Remove a queue in which nothing waits or runs", on(dropQueue)},
	{"GET", Prefix + "/nodes", viewer, "list-nodes", "Nodes", on(listNodes)},
	{"PATCH", Prefix + "/nodes/{node}", operator, "change-node", "Change what a node serves and offers, and its labels, from its next claim on", on(changeNode)},
	{"POST", Prefix + "/nodes/{node}/drain", operator, "drain-node", "Ask a node to claim nothing more, to let what runs end, and then to end itself", on(drainNode)},
	{"POST", Prefix + "/nodes/{node}/pause", operator, "pause-node", "Ask a node to claim nothing until it is resumed, over its restarts too", on(pauseNode)},
	{"POST", Prefix + "/nodes/{node}/resume", operator, "resume-node", "Let a node that was paused go on", on(resumeNode)},
	{"DELETE", Prefix + "/nodes/{node}", operator, "remove-node", "Remove a node that is down or lost, perhaps for good", on(removeNode)},
	{"GET", Prefix + "/nodes/{node}/samples", viewer, "node-samples", "What a node and its machine did over time", on(nodeSamples)},
	{"GET", Prefix + "/schedules", viewer, "list-schedules", "Schedules", on(listSchedules)},
	{"POST", Prefix + "/schedules", submitter, "put-schedule", "Create a schedule, or change the one of that name", on(putSchedule)},
	{"GET", Prefix + "/schedules/{schedule}", viewer, "get-schedule", "A schedule with its latest fires and alarms", on(getSchedule)},
	{"POST", Prefix + "/schedules/{schedule}/fire", submitter, "fire-schedule", "Fire a schedule now", on(fireSchedule)},
	{"DELETE", Prefix + "/schedules/{schedule}", submitter, "drop-schedule", "Remove a schedule", on(dropSchedule)},
	{"GET", Prefix + "/secrets", submitter, "list-secrets", "Names of secrets, without what they hold", on(listSecrets)},
	{"PUT", Prefix + "/secrets/{secret}", submitter, "put-secret", "Keep a secret, encrypted", on(putSecret)},
	{"DELETE", Prefix + "/secrets/{secret}", submitter, "drop-secret", "Remove a secret", on(dropSecret)},
	{"GET", Prefix + "/tokens", admin, "list-tokens", "Tokens, without their secrets", on(listTokens)},
	{"POST", Prefix + "/tokens", admin, "create-token", "Make a token; the answer alone has its secret", on(createToken)},
	{"DELETE", Prefix + "/tokens/{token}", admin, "drop-token", "Withdraw a token", on(dropToken)},
	{"GET", Prefix + "/users", viewer, "list-users", "Users; for all but admins, oneself", on(listUsers)},
	{"PATCH", Prefix + "/users/{user}", viewer, "put-user", "Create a user, who needs a role, or change one; for all but admins, the own password and who is told of the own jobs' ends", on(putUser)},
	{"DELETE", Prefix + "/users/{user}", admin, "drop-user", "Remove a user, whose tokens are worthless then", on(dropUser)},
	{"POST", Prefix + "/login", anybody, "login", "Get a token for a user's name and password", on(login)},
	{"POST", Prefix + "/links", viewer, "create-link", "Make a link that lets its bearer in once, in the name of who asks", on(createLink)},
	{"POST", Prefix + "/links/redeem", anybody, "redeem-link", "Get the token for a link, once", on(redeem)},
	{"GET", Prefix + "/audit", admin, "audit", "What was changed by whom, newest first", on(audit)},

	{"POST", Prefix + "/sessions", node, "open-session", "Register a node and open its session", on(openSession)},
	{"DELETE", Prefix + "/sessions/{session}", node, "close-session", "End a session cleanly", on(closeSession)},
	{"GET", Prefix + "/sessions/{session}/news", node, "await", "Wait until the session may find work, or is asked to end or show something, to drain, to pause or to go on", waits(await)},
	{"POST", Prefix + "/renewals", node, "renew", "Keep a session's lease", on(renew)},
	{"POST", Prefix + "/exchanges", node, "exchange", "Finish what ended and claim what fits", on(exchange)},
}
