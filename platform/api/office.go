package api

import (
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
)

// JoinPath is the page of an invitation to the platform's office.
const JoinPath = "/office/join"

// InvitationRequest invites somebody to work at the platform, from its own machine or from the sandbox's console. People of the
// office invite on their pages.
type InvitationRequest struct {
	Name   string   `json:"name" minLength:"1" maxLength:"100" doc:"as it will stand in every line of the operation log"`
	Roles  []string `json:"roles" minItems:"1" maxItems:"5" doc:"administrator, tenant-desk, records-desk, operations; or auditor alone"`
	Reason string   `json:"reason" minLength:"1" maxLength:"500"`
}

// Invitation is the way in for one person, who opens the link and shows their card. The token exists nowhere else.
type Invitation struct {
	ID        jitsuin.ID `json:"id"`
	Token     string     `json:"token"`
	ExpiresAt time.Time  `json:"expires_at" doc:"wall time"`
}

// Link gives the path of the page that the invited person opens.
func (i Invitation) Link() string { return JoinPath + "?invitation=" + url.QueryEscape(i.Token) }
