package platform_test

// Who may use the routes about the accreditation.
func init() {
	for _, route := range []string{"GET /v1/accreditation", "POST /v1/accreditation/application", "POST /v1/accreditation/audits"} {
		access[route] = operators
	}
}
