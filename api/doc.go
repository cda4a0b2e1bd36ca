// Package api carries rota.Service over HTTP: REST under /api/v1 on the server's side, [Client] on the other.
//
// It promises that a Service behaves the same on both sides of the wire: values arrive as they were sent, and an
// error is of the same kind (errors.Is), with the same sentence and the same fix. It decides who asks (a token, or
// the user at the other end of the unix socket) and holds the outer door: each route needs a role, and all routes
// stand in one table. What a principal may do beyond that is the Service's to say.
//
// A resource has one file: its wire types, its handlers and its methods of Client. The package touches HTTP, JSON
// and the node's socket, and nothing else.
package api
