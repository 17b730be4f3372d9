/* A PKCS #11 module in front of SoftHSM that fails as the file HSM_SHIM says, and writes down beside it what it was asked. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong_t;

/* CK_FUNCTION_LIST (PKCS #11 2.40): a version, and the functions in the order of the standard. */
struct functions {
    unsigned char version[2];
    void *at[68];
};
enum { GET_TOKEN_INFO = 6, LOGIN = 18, SIGN_INIT = 42, SIGN = 43, GENERATE_KEY_PAIR = 59 };
enum { DEVICE_ERROR = 0x30 };

static struct functions ours;
static struct functions *theirs;

static int is(const char *mode)
{
    char text[256] = {0};
    FILE *file = fopen(getenv("HSM_SHIM"), "r");
    if (file == NULL)
        return 0;
    fread(text, 1, sizeof text - 1, file);
    fclose(file);
    return strstr(text, mode) != NULL;
}

static void note(const char *what)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.log", getenv("HSM_SHIM"));
    FILE *file = fopen(path, "a");
    if (file != NULL) {
        fprintf(file, "%s\n", what);
        fclose(file);
    }
}

/* CK_TOKEN_INFO: four texts of 96 bytes together precede its flags. */
static ulong_t get_token_info(ulong_t slot, unsigned char *info)
{
    ulong_t answer = ((ulong_t(*)(ulong_t, unsigned char *))theirs->at[GET_TOKEN_INFO])(slot, info);
    ulong_t *flags = (ulong_t *)(info + 96);
    if (is("final_try"))
        *flags |= 0x00020000;
    if (is("locked"))
        *flags |= 0x00040000;
    return answer;
}

static ulong_t login(ulong_t session, ulong_t user, unsigned char *pin, ulong_t length)
{
    note("login");
    return ((ulong_t(*)(ulong_t, ulong_t, unsigned char *, ulong_t))theirs->at[LOGIN])(session, user, pin, length);
}

static ulong_t sign_init(ulong_t session, void *mechanism, ulong_t key)
{
    if (is("sign_fails"))
        return DEVICE_ERROR;
    return ((ulong_t(*)(ulong_t, void *, ulong_t))theirs->at[SIGN_INIT])(session, mechanism, key);
}

static ulong_t sign(ulong_t session, unsigned char *data, ulong_t size, unsigned char *signature, ulong_t *length)
{
    while (is("sign_hangs"))
        usleep(10000);
    ulong_t answer = ((ulong_t(*)(ulong_t, unsigned char *, ulong_t, unsigned char *, ulong_t *))theirs->at[SIGN])(
        session, data, size, signature, length);
    if (signature != NULL && is("sign_lies"))
        signature[3] ^= 1;
    return answer;
}

static ulong_t generate_key_pair(ulong_t session, void *mechanism, void *public, ulong_t publics, void *private,
                                 ulong_t privates, ulong_t *public_key, ulong_t *private_key)
{
    note("generate");
    return ((ulong_t(*)(ulong_t, void *, void *, ulong_t, void *, ulong_t, ulong_t *, ulong_t *))
                theirs->at[GENERATE_KEY_PAIR])(session, mechanism, public, publics, private, privates, public_key,
                                               private_key);
}

ulong_t C_GetFunctionList(struct functions **list)
{
    if (theirs == NULL) {
        void *module = dlopen(MODULE, RTLD_NOW);
        if (module == NULL)
            return DEVICE_ERROR;
        ((ulong_t(*)(struct functions **))dlsym(module, "C_GetFunctionList"))(&theirs);
        ours = *theirs;
        ours.at[GET_TOKEN_INFO] = get_token_info;
        ours.at[LOGIN] = login;
        ours.at[SIGN_INIT] = sign_init;
        ours.at[SIGN] = sign;
        ours.at[GENERATE_KEY_PAIR] = generate_key_pair;
    }
    *list = &ours;
    return 0;
}
