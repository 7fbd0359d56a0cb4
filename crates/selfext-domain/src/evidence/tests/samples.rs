//! One sample of every kind of secret.

/// A secret and what stands around it.
pub(super) struct Sample {
    pub(super) before: &'static str,
    pub(super) secret: String,
    pub(super) after: &'static str,
    pub(super) marker: &'static str,
}

/// Letters and digits without order, so many of them.
pub(super) fn body(length: usize) -> String {
    "4tQ9zLw2Rb7XnEv0JdH5uPs8TaWo3ViYq6ZeNj1B".chars().cycle().take(length).collect()
}

fn bare(prefix: &str, length: usize, marker: &'static str) -> Sample {
    Sample { before: "", secret: format!("{prefix}{}", body(length)), after: "", marker }
}

fn within(before: &'static str, secret: &str, after: &'static str, marker: &'static str) -> Sample {
    Sample { before, secret: secret.to_owned(), after, marker }
}

/// A token of three parts, as an identity provider signs it.
pub(super) fn jwt() -> String {
    format!("ey{}.ey{}.{}", body(34).replacen('4', "J", 1), body(60).replacen('4', "J", 1), body(43))
}

/// A private key block.
pub(super) fn pem(label: &str) -> String {
    let rule = "-".repeat(5);
    let lines: Vec<String> = (0..4).map(|line| body(64 + line).chars().skip(line).collect()).collect();
    format!("{rule}BEGIN {label}{rule}\n{}\n{}=\n{rule}END {label}{rule}", lines.join("\n"), body(20))
}

pub(super) fn samples() -> Vec<Sample> {
    let mut all = of_a_form();
    all.extend(authorized());
    all.extend(assigned());
    all
}

/// Secrets that show themselves by their form.
pub(super) fn of_a_form() -> Vec<Sample> {
    let github = "github-token";
    let pat = format!("github_pat_{}_{}", body(22), body(59));
    let installation = format!("ghs_123456_{}", jwt());
    vec![
        bare("ghp_", 36, github),
        bare("gho_", 36, github),
        bare("ghu_", 36, github),
        bare("ghs_", 36, github),
        bare("ghr_", 76, github),
        within("", &pat, "", github),
        within("", &installation, "", github),
        within("\\n", &format!("ghp_{}", body(36)), "\\n", github),
        within("xx", &format!("ghp_{}", body(36)), "", github),
        bare("sk-", 48, "api-key"),
        bare("sk-proj-", 120, "api-key"),
        within("", &format!("sk-ant-api03-{}-{}AA", body(50), body(40)), "", "api-key"),
        bare("sk-or-v1-", 64, "api-key"),
        within("\\n", &format!("sk-{}", body(48)), "", "api-key"),
        bare("sk_live_", 24, "stripe-key"),
        bare("rk_live_", 24, "stripe-key"),
        within("", &format!("AKIA{}", body(40).to_uppercase()[..16].to_owned()), "", "aws-access-key"),
        within("", &format!("ASIA{}", body(40).to_uppercase()[..16].to_owned()), "", "aws-access-key"),
        within("", &format!("xoxb-123456789012-1234567890123-{}", body(24)), "", "slack-token"),
        within("", &format!("xapp-1-A0123456789-1234567890123-{}", body(64)), "", "slack-token"),
        within("https://", &format!("hooks.slack.com/services/T00000000/B00000000/{}", body(24)), "", "slack-webhook"),
        bare("npm_", 36, "npm-token"),
        bare("AIza", 35, "google-key"),
        bare("glpat-", 20, "gitlab-token"),
        bare("cio", 32, "crates-io-token"),
        bare("pypi-AgEIcHlwaS5vcmc", 120, "pypi-token"),
        bare("hf_", 34, "hugging-face-token"),
        bare("dop_v1_", 64, "vendor-token"),
        within("", &jwt(), "", "jwt"),
        within("", &pem("PRIVATE KEY"), "", "private-key"),
        within("", &pem("RSA PRIVATE KEY"), "", "private-key"),
        within("", &pem("OPENSSH PRIVATE KEY"), "", "private-key"),
        within("", &pem("PGP PRIVATE KEY BLOCK"), "", "private-key"),
        within("", &pem("EC PRIVATE KEY").replace('\n', "\\n"), "", "private-key"),
        within("postgres://", &format!("app:{}", body(16)), "@db.example/selfext", "url-credentials"),
        within("postgres://", &format!("app:p/{}@x", body(16)), "@db.example/selfext", "url-credentials"),
        within("redis://", &format!(":{}", body(16)), "@cache.example", "url-credentials"),
        within("https://", &body(20), "@git.example/owner/repo.git", "url-credentials"),
    ]
}

fn authorized() -> Vec<Sample> {
    let kind = "authorization";
    vec![
        within("Authorization: Bearer ", &body(30), "\n", kind),
        within("> authorization: token ", &body(30), "\r\n", kind),
        within("Authorization: Basic ", "dXNlcjpwYXNzd29yZA==", "\n", kind),
        within("{\"Authorization\": \"Bearer ", "opaque-and-lower-case", "\"}", kind),
        within("curl -H 'Authorization: Bearer ", "opaque.lower.case", "' https://api.example", kind),
        within("authorization=Bearer ", &body(30), " next", kind),
        within("sent bearer ", "xyz", "", kind),
        within("sent Bearer ", &body(30), ".", kind),
        within("header Basic ", "dXNlcjpwYXNzd29yZA==", "", kind),
        within("Authorization: AWS4-HMAC-SHA256 ", "Credential=AB12/eu/s3, Signature=00ffaa99", "\n", kind),
    ]
}

fn assigned() -> Vec<Sample> {
    let kind = "secret";
    vec![
        within("DEPLOY_TOKEN=", "lowercaseonly", "\n", kind),
        within("export DEPLOY_TOKEN='", "two words", "'\n", kind),
        within("DB_PASSWORD=", "pa,ss;wo:rd", "\n", kind),
        within("DB_PASSWORD: ", "a(b::c<d", "\n", kind),
        within("DB_PASSWORD=", "${A}b", "\n", kind),
        within("CLIENT_SECRET: ", "lowercaseonly", "\n", kind),
        within("SIGNING_KEY=\"", "with \\\" a quote", "\"\n", kind),
        within("API_KEY=", "abc", "", kind),
        within("{\"api_key\":\"", "a b c d", "\",\"n\":1}", kind),
        within("{\"access_token\": \"", "lowercase", "\"}", kind),
        within("{\\\"token\\\":\\\"", "lowercase", "\\\",\\\"n\\\":1}", kind),
        within("{\"password\":", "123456789", ",\"n\":1}", kind),
        within("{\"clientSecret\": \"", "lowercase", "\"}", kind),
        within("password: ", "hunter", "\n", kind),
        within("  - db_password: ", "correcthorse", "\n", kind),
        within("token: |\n  ", "first line of it", "\nnext: 1\n", kind),
        within("secret_key = \"", "toml value", "\"\n", kind),
        within("password = ", "inivalue", "\n", kind),
        within("aws_secret_access_key = ", "wJa1rXUtnFEMI/K7MDENG/bPxRf1CYEXAMPLEKEY", "\n", kind),
        within("Config { token: Some(\"", "abc def", "\"), retries: 3 }", kind),
        within("const API_KEY: &str = \"", "abc def", "\";", kind),
        within("os.environ[\"API_KEY\"] = \"", "abc def", "\"", kind),
        within("//registry.example/:_authToken=", "00000000-aaaa", "\n", kind),
        within("GET /v1?access_token=", "lowercase", " HTTP/1.1", kind),
        within("X-Api-Key: ", "lowercase", "\n", kind),
        within("curl -H 'PRIVATE-TOKEN: ", "lowercase", "' https://git.example", kind),
        within("tool --api-token ", "abc123def456", " run", kind),
        within("machine git.example login bot password ", "abc123def456", "\n", kind),
        within(":password => '", "abc def", "'", kind),
    ]
}
